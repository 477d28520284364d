import type { Hello, Note, PageMessage } from './protocol.js';

/**
 * What the robot process and the dashboard's process say to each other. The dashboard has a process
 * to itself: whatever a page, a viewer or a bug in a web server does, the robot's process does not
 * notice, and the dashboard may be killed at any time.
 */

/** Robot process to dashboard. */
export type Feed =
  | DashboardStart
  | { readonly kind: 'frame'; readonly flat: Float64Array }
  | { readonly kind: 'note'; readonly note: Note }
  | {
      readonly kind: 'answer';
      readonly page: number;
      readonly id: number;
      readonly ok: boolean;
      readonly reasons: readonly string[];
    };

/** The first word: everything that the server needs to begin. */
export interface DashboardStart {
  readonly kind: 'start';
  readonly host: string;
  readonly port?: number;
  readonly token?: string;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly names: readonly string[];
  readonly origins: readonly string[];
  /** Path of `robot.yaml`. */
  readonly robot: string;
  /** Adds to the robot's clock what makes it seconds since 1970. */
  readonly clockOffset_s: number;
  readonly hello: Hello;
}

/** Dashboard to robot process. */
export type FeedBack =
  | { readonly kind: 'listening'; readonly url: string }
  | { readonly kind: 'failed'; readonly message: string }
  /** Whether somebody looks: where nobody does, no frames are needed. */
  | { readonly kind: 'watched'; readonly watched: boolean }
  | { readonly kind: 'message'; readonly page: number; readonly message: PageMessage }
  /** A page is no longer there. */
  | { readonly kind: 'gone'; readonly page: number };
