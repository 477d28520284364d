import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { packageRoot } from '../base/files.js';
import { Access } from '../dashboard/access.js';
import type { DashboardStart, Feed, FeedBack } from '../dashboard/feed.js';
import { RobotTopics } from '../dashboard/foxglove/robotTopics.js';
import { FoxgloveServer } from '../dashboard/foxglove/server.js';
import { Frame, frameSizes } from '../dashboard/frame.js';
import { PageHub } from '../dashboard/pageHub.js';
import { DashboardServer } from '../dashboard/server.js';
import { loadRobot } from '../robot/load.js';
import type { Scene } from '../robot/scene.js';

/**
 * The dashboard's process. It ends with the robot process, which has its channel, and with nothing
 * else: Ctrl-C in the terminal sits the robot down, and that is to be seen, and stopped, from here too.
 */

const say = (message: FeedBack) => process.send?.(message);
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.exit());

let pages: PageHub | undefined;
let topics: RobotTopics | undefined;
let frame: Frame | undefined;

process.on('message', (message: Feed) => {
  switch (message.kind) {
    case 'start':
      start(message).catch((error: Error) => {
        say({
          kind: 'failed',
          message: error instanceof UserError ? error.message : (error.stack ?? error.message),
        });
        process.disconnect();
      });
      break;
    case 'frame':
      pages?.show(message.flat);
      frame?.flat.set(message.flat);
      if (frame) topics?.show(frame);
      break;
    case 'note':
      pages?.tell(message.note);
      if (message.note.kind === 'event') topics?.note(message.note);
      break;
    case 'answer': {
      const { page, id, ok, reasons } = message;
      pages?.answer(page, { kind: 'answer', id, ok, reasons });
      break;
    }
  }
});

async function start(options: DashboardStart): Promise<void> {
  const { token, tls, names, origins, hello } = options;
  const { spec } = loadRobot(options.robot);
  const scene = sceneOnce(options.robot);
  let modelled = false;
  const watched = () => {
    say({ kind: 'watched', watched: hub.watched || foxglove.watched });
    if (modelled || !foxglove.watched) return;
    modelled = true;
    scene().then(
      (shapes) => topics?.showModel(shapes),
      (error: Error) => process.stderr.write(`no shapes for viewers: ${error.message}\n`),
    );
  };
  const hub = new PageHub(hello, {
    onCome: watched,
    onMessage: (page, message) => say({ kind: 'message', page, message }),
    onGone: (page) => {
      say({ kind: 'gone', page });
      watched();
    },
  });
  const foxglove = new FoxgloveServer(
    `reverie ${hello.robot}`,
    hello.session,
    RobotTopics.channels(spec),
    watched,
  );
  pages = hub;
  topics = new RobotTopics(spec, foxglove, options.clockOffset_s);
  frame = new Frame(frameSizes(hello));
  const { url } = await DashboardServer.listen({
    host: options.host,
    port: options.port,
    tls,
    access: new Access({ token, secure: tls !== undefined, names, origins }),
    page: join(packageRoot, 'dist/web'),
    scene,
    pages: hub,
    foxglove,
  });
  say({ kind: 'listening', url });
}

/** Compiles the model when the first page asks: nobody may ever do. */
function sceneOnce(robot: string): () => Promise<Scene> {
  let scene: Promise<Scene> | undefined;
  return () => {
    scene ??= (async () => {
      const [{ loadMujoco }, { sceneOf }] = await Promise.all([
        import('../../sim/mujoco.js'),
        import('../../sim/scene.js'),
      ]);
      return sceneOf(await loadMujoco(), loadRobot(robot));
    })();
    return scene;
  };
}
