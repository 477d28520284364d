import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export const NO_CUDA = 'onnxruntime-node is installed without its CUDA libraries';
export const CUDA_HELP =
  'with an NVIDIA driver, CUDA 12 and cuDNN 9: ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node';

/** Whether ONNX Runtime's CUDA libraries are here: it writes to standard error where it looks for them in vain. */
export function cudaLibraries(): boolean {
  const folder = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')), '..', 'bin');
  const { platform, arch } = process;
  return readdirSync(folder).some((abi) =>
    ['libonnxruntime_providers_cuda.so', 'onnxruntime_providers_cuda.dll'].some((file) =>
      existsSync(join(folder, abi, platform, arch, file)),
    ),
  );
}
