import type { RobotProcess } from '../control/robotProcess.js';
import type { PageMessage, Request } from '../dashboard/protocol.js';
import type { TeleopSession } from '../teleop/session.js';
import type { DashboardLink } from './dashboardLink.js';
import type { PolicyShelf } from './policyShelf.js';
import type { Recording } from './recording.js';

/** Nobody's page. */
const NOBODY = 0;

/** Does what the dashboard's pages ask for. One page at a time has its hand on the robot. */
export class PageDesk {
  private holder = NOBODY;

  constructor(
    private readonly robot: RobotProcess,
    private readonly session: TeleopSession,
    private readonly shelf: PolicyShelf,
    private readonly recording: () => Recording | undefined,
    private readonly link: () => DashboardLink | undefined,
  ) {}

  take(page: number, message: PageMessage): void {
    if (message.kind === 'hand') {
      if (page === this.holder) this.session.move(message.hand);
      return;
    }
    const { id } = message;
    const answer = (reasons: readonly string[]) =>
      this.link()?.send({ kind: 'answer', page, id, ok: reasons.length === 0, reasons });
    // Before anything that could wait.
    if (message.kind === 'emergency_stop') this.robot.emergencyStop();
    this.serve(page, message).then(answer, (error: Error) => answer([error.message]));
  }

  /** @param page 0: all of them */
  gone(page: number): void {
    if (page !== NOBODY && page !== this.holder) return;
    this.session.letGo();
    this.holder = NOBODY;
  }

  /** @returns why it could not be done; nothing where it is done */
  private async serve(page: number, request: Request): Promise<readonly string[]> {
    const { robot, session } = this;
    switch (request.kind) {
      case 'emergency_stop':
        return [];
      case 'reset':
        await robot.reset();
        return [];
      case 'stop':
        await robot.requestStop();
        return [];
      case 'arm': {
        const { mode, latched } = robot.status();
        // After an ordinary stop too: whoever arms it says that it may move again.
        if (!latched && (mode === 'stopped' || mode === 'damp')) await robot.reset();
        return (await robot.arm()) ? [] : [whyNotArmed(robot)];
      }
      case 'policies':
        this.link()?.send({ kind: 'note', note: this.shelf.list() });
        return [];
      case 'policy': {
        const admission = await robot.setPolicy(this.shelf.open(request.name));
        return admission.admitted ? [] : admission.reasons;
      }
      case 'take_over': {
        if (!(await session.takeOver()))
          return [`not while ${robot.status().latched ?? robot.status().mode}`];
        this.holder = page;
        return [];
      }
      case 'release':
        this.holder = NOBODY;
        await session.release();
        return [];
      case 'record': {
        const recording = this.recording();
        recording?.act(request.action);
        return recording ? [] : ['nothing is recorded: start with --record FILE'];
      }
      case 'pose':
        if (page !== this.holder) return ['take the robot over first'];
        return session.goTo(request.pose) ? [] : [`poses are ${session.poses.join(', ')}`];
    }
  }
}

function whyNotArmed(robot: RobotProcess): string {
  const { mode, latched } = robot.status();
  if (latched) return `${latched} is latched: reset it first`;
  return mode === 'idle' ? 'the driver gives no fresh samples' : `it is armed already (${mode})`;
}
