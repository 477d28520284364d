// Builds the kernels as a Node addon with the C++ compiler at hand, without anything being fetched. Where that cannot
// be done it says so in one line and ends well: everything runs without the addon, on slower engines.
//
//   node native/build.mjs            builds where the sources have changed
//   CXX=clang++ node native/build.mjs
//
// REVERIE_NATIVE=skip leaves it out.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { addonPath, folder, sourceHash } from './sources.mjs';

const build = dirname(addonPath);
const compiler = process.env.CXX ?? 'c++';
const common = [
  ...['-std=c++20', '-O3', '-fPIC', '-Wall', '-Wextra', '-fvisibility=hidden', '-fno-rtti'],
  // Products may be fused with sums, but nothing is reordered: results stay the same bits on every run.
  ...['-fno-math-errno', '-ffp-contract=fast'],
];
const avx512 = ['-mavx512f', '-mavx512vl', '-mavx512bw', '-mavx512dq', '-mprefer-vector-width=512', '-mfma'];
const instructionSets =
  process.arch === 'x64' ? { baseline: [], avx2: ['-mavx2', '-mfma'], avx512 } : { baseline: [] };

/** Node's own headers, or those of the package. */
function headers() {
  const own = join(dirname(dirname(process.execPath)), 'include', 'node');
  if (existsSync(join(own, 'node_api.h'))) return own;
  return createRequire(import.meta.url)('node-api-headers').include_dir;
}

async function compile(args) {
  await promisify(execFile)(compiler, args, { cwd: folder });
}

async function main() {
  const hash = sourceHash();
  const stamp = join(build, 'source');
  if (existsSync(addonPath) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  mkdirSync(build, { recursive: true });
  const objects = [];
  const compiling = Object.entries(instructionSets).map(([name, flags]) => {
    const object = join(build, `${name}.o`);
    objects.push(object);
    return compile([
      ...common,
      '-fno-exceptions',
      ...flags,
      `-DKERNELS=${name}`,
      '-c',
      'kernels.cpp',
      '-o',
      object,
    ]);
  });
  await Promise.all(compiling);
  const link =
    process.platform === 'darwin'
      ? ['-undefined', 'dynamic_lookup']
      : ['-static-libstdc++', '-static-libgcc'];
  const unfinished = `${addonPath}.${process.pid}`;
  await compile([
    ...common,
    ...[`-I${headers()}`, `-DSOURCE_HASH="${hash}"`, '-DNAPI_VERSION=8'],
    ...['-shared', '-pthread', 'addon.cpp', ...objects, ...link, '-o', unfinished],
  ]);
  renameSync(unfinished, addonPath);
  for (const object of objects) rmSync(object);
  writeFileSync(stamp, hash);
  console.log(`built ${addonPath}`);
}

if (process.env.REVERIE_NATIVE !== 'skip') {
  await main().catch((error) => {
    const why =
      error.code === 'ENOENT' ? `no C++ compiler "${compiler}"` : `${error.message}`.trim().split('\n')[0];
    console.log(`the native engine was not built (${why}): training uses a slower engine`);
  });
}
