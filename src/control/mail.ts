import type { Manifest } from '../policy/manifest.js';

/** What the main thread posts to the control worker. */
export type ControlMail = {
  readonly kind: 'policy';
  /** Given by the main thread, from 1; steps carry it. */
  readonly number: number;
  readonly manifest: Manifest;
  readonly onnx: Uint8Array;
  /** Where it came from, for messages. */
  readonly path: string;
};

/** What the control worker posts back. */
export type ControlReport =
  | { readonly kind: 'ready'; readonly tid: string }
  | { readonly kind: 'admitted'; readonly number: number }
  | { readonly kind: 'refused'; readonly number: number; readonly reasons: readonly string[] }
  | { readonly kind: 'closed' };
