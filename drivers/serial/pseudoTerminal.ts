import { execFileSync } from 'node:child_process';
import { closeSync, lstatSync, symlinkSync, unlinkSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ReadStream } from 'node:tty';
import { UserError } from '../../src/base/errors.js';

interface Native {
  open(
    columns: number,
    rows: number,
  ): { readonly master: number; readonly slave: number; readonly pty: string };
}

/** The compiled half of an optional package: its own `open` reads from the far side too, which is ours to leave alone. */
function loadNative(): Native {
  const require = createRequire(import.meta.url);
  try {
    const inside = createRequire(require.resolve('@lydell/node-pty'));
    return inside(`@lydell/node-pty-${process.platform}-${process.arch}/pty.node`) as Native;
  } catch {
    throw new UserError(
      'emulated hardware needs the optional package @lydell/node-pty: npm install @lydell/node-pty',
    );
  }
}

/** The device's end of a pseudo-terminal: whoever opens `path` finds a serial port there. */
export class PseudoTerminal {
  readonly path: string;
  onData: (bytes: Uint8Array) => void = () => {};
  private readonly master: ReadStream;
  private readonly fd: number;
  private readonly slave: number;
  private closed = false;

  /** @param link stable name for the port, replaced where it is a link already */
  constructor(private readonly link?: string) {
    const { master, slave, pty } = loadNative().open(80, 24);
    this.path = pty;
    // Held open, so that the port's owner may come and go.
    this.slave = slave;
    // No echo, no line discipline, before the first byte.
    execFileSync('stty', [process.platform === 'darwin' ? '-f' : '-F', pty, 'raw', '-echo'], {
      stdio: 'ignore',
    });
    this.fd = master;
    this.master = new ReadStream(master);
    this.master.on('data', (chunk: Buffer) => this.onData(chunk));
    this.master.on('error', () => {});
    if (link) {
      removeLink(link);
      symlinkSync(pty, link);
    }
  }

  /** What does not fit since nobody reads is lost, as on a wire. */
  write(bytes: Uint8Array): void {
    if (this.closed) return;
    try {
      // The stream would try again and again until there is room, and do nothing else.
      writeSync(this.fd, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }

  /** Pulls the plug: the port is gone for whoever has it open. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.link) removeLink(this.link);
    closeSync(this.slave);
    this.master.destroy();
  }
}

function removeLink(link: string): void {
  const found = lstatSync(link, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSymbolicLink())
    throw new UserError(`${link}: is there, and no link; name another with --link`);
  unlinkSync(link);
}
