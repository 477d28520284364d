import { UserError } from '../base/errors.js';
import { putRight } from '../control/attendant.js';
import { type ResetReport, resetInWords } from '../control/resetReport.js';
import type { RobotProcess } from '../control/robotProcess.js';
import type { Launch } from '../launch/launch.js';
import { taskOf } from '../launch/taskOf.js';
import { ArmHome } from '../reset/armHome.js';
import type { Behaviour } from '../reset/behaviour.js';
import type { GetUpPolicy } from '../reset/getUpPolicy.js';
import { GetUpScript } from '../reset/getUpScript.js';
import { learnedGetUp } from '../reset/learnedGetUp.js';
import { Stand } from '../reset/stand.js';
import { ResetSupervisor } from '../reset/supervisor.js';
import type { Trouble } from '../reset/trouble.js';
import { WalkBack } from '../reset/walkBack.js';
import type { RobotSpec } from '../robot/spec.js';

/** While a person is asked for, the bell rings again after this. */
const RING_MS = 30_000;
const BELL = '\u0007';

/** Watches over the resets of a run, and tells its person: a line for each, and the terminal's bell when they are needed. */
export class ResetKeeper {
  private readonly supervisor: ResetSupervisor | undefined;
  private ringing: NodeJS.Timeout | undefined;

  /** @throws UserError where the launch file names a policy for getting up that is not admitted */
  constructor(
    launch: Launch,
    private readonly robot: RobotProcess,
    private readonly notice: (line: string) => void,
  ) {
    const { reset } = launch;
    const { spec } = robot.options;
    robot.resets.subscribe((report) => this.tell(report));
    if (!reset.enabled) return;
    this.supervisor = new ResetSupervisor(robot, {
      behavioursFor: behavioursOf(spec, launch, notice),
      tries: reset.tries,
      noProgress_s: WalkBack.canWalk(spec) ? reset.no_progress_s : 0,
      mayLie: taskOf(launch, spec).startsLying !== undefined,
      homeAfterEpisode: reset.after_episode === 'home',
    });
  }

  close(): void {
    clearInterval(this.ringing);
    this.supervisor?.close();
  }

  private tell(report: ResetReport): void {
    clearInterval(this.ringing);
    this.notice(resetInWords(report));
    if (report.outcome !== 'person_asked') return;
    ring();
    // In a simulation somebody comes; on hardware whoever it is resets and arms the robot.
    if (this.robot.canReplace) void putRight(this.robot);
    this.ringing = setInterval(() => {
      ring();
      if (this.robot.status().asks_person) this.notice(resetInWords(report));
    }, RING_MS);
  }
}

function ring(): void {
  if (process.stderr.isTTY) process.stderr.write(BELL);
}

/** What a robot can do for itself: as learned first, by script next. */
function behavioursOf(
  spec: RobotSpec,
  launch: Launch,
  notice: (line: string) => void,
): (trouble: Trouble) => readonly Behaviour[] {
  const asLearned = learned(spec, launch, notice);
  const script = spec.get_up && new GetUpScript(spec);
  const getUp = [asLearned, script].filter((behaviour) => behaviour !== undefined);
  const walkBack = WalkBack.canWalk(spec) ? [new WalkBack(spec)] : [];
  const home = spec.chains.some((c) => c.kind === 'tool') ? new ArmHome(spec) : new Stand(spec);
  const known: Readonly<Record<Trouble, readonly Behaviour[]>> = {
    fall: getUp,
    fence: walkBack,
    workspace: [home],
    stuck_joint: [home],
    no_progress: [home],
    time_out: [home],
    latched: [],
  };
  return (trouble) => known[trouble];
}

/** One that does not fit is an error where the launch file names it; else the robot gets up by script. */
function learned(
  spec: RobotSpec,
  { reset, path }: Launch,
  notice: (line: string) => void,
): GetUpPolicy | undefined {
  if (spec.fall === undefined || reset.get_up === null) return undefined;
  try {
    return learnedGetUp(spec, reset.get_up);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (reset.get_up !== undefined) throw new UserError(`${path}: reset.get_up: ${error.message}`);
    notice(`${error.message}; the robot gets up by script alone`);
    return undefined;
  }
}
