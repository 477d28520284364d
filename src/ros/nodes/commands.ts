import type { Observer } from '../../control/observer.js';
import type { RobotProcess } from '../../control/robotProcess.js';
import { METRES_PER_RAD } from '../../teleop/jog.js';
import { TeleopSession } from '../../teleop/session.js';
import type { RosNode } from '../node.js';
import { qosProfiles } from '../transport/qos.js';
import type { Subscription } from '../transport/transport.js';
import type { JointTrajectory, Twist } from '../types.js';
import { sample, type Trajectory, trajectoryOf } from './trajectory.js';

/** Pace of the targets of a trajectory. */
const PERIOD_MS = 20;

/**
 * What others may ask of the robot's joints: `/joint_trajectory`, and `/cmd_vel` for the tool of an arm.
 * They ask with the authority of a person: targets go through the safety kernel at a person's speed,
 * and whoever falls silent leaves the robot holding. One asks at a time: a topic with two publishers is
 * not followed, nor anything while somebody else has the robot in hand.
 */
export class CommandTopics {
  private readonly observer: Observer;
  private readonly session: TeleopSession;
  private readonly trajectories: Subscription;
  private readonly velocities: Subscription;
  private readonly target_rad: Float64Array;
  private readonly from_rad: Float64Array;
  private running: { readonly trajectory: Trajectory; readonly began_s: number } | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Whether it was here that the robot was taken over. */
  private ours = false;
  private taking: Promise<boolean> | undefined;

  /** @param enabled whether the node is active */
  constructor(
    private readonly node: RosNode,
    private readonly robot: RobotProcess,
    private readonly enabled: () => boolean,
  ) {
    const joints = robot.options.spec.joints.length;
    this.observer = robot.observe();
    this.session = new TeleopSession(robot);
    this.target_rad = new Float64Array(joints);
    this.from_rad = new Float64Array(joints);
    this.trajectories = node.subscribe(
      'joint_trajectory',
      'trajectory_msgs/msg/JointTrajectory',
      qosProfiles.command,
      (message) => this.onTrajectory(message),
    );
    this.velocities = node.subscribe('cmd_vel', 'geometry_msgs/msg/Twist', qosProfiles.command, (message) =>
      this.onVelocity(message),
    );
    node.trigger('~/release', async () => {
      await this.release();
      return 'the robot is released';
    });
  }

  /** Gives back what was taken over. */
  async release(): Promise<void> {
    this.halt();
    this.session.letGo();
    if (this.ours && this.session.active) await this.robot.release();
    this.ours = false;
  }

  close(): void {
    this.halt();
    this.session.close();
  }

  private async onTrajectory(message: JointTrajectory): Promise<void> {
    const topic = this.node.resolve('joint_trajectory');
    const trajectory = trajectoryOf(this.robot.options.spec, message);
    if (typeof trajectory === 'string') {
      this.node.noticeOnce(`${topic} is refused: ${trajectory}`);
      return;
    }
    if (!(await this.mayMove(topic, this.trajectories))) return;
    this.session.letGo();
    this.observer.update();
    this.from_rad.set(this.observer.command.position_rad);
    this.running = { trajectory, began_s: this.robot.time.now_s() };
    this.timer ??= setInterval(() => this.advance(), PERIOD_MS);
  }

  private async onVelocity({ linear, angular }: Twist): Promise<void> {
    const topic = this.node.resolve('cmd_vel');
    const { spec } = this.robot.options;
    if (!this.session.canJog) {
      this.node.noticeOnce(`${topic} is refused: no policy of ${spec.name} follows a velocity`);
      return;
    }
    const values = [linear.x, linear.y, linear.z, angular.x, angular.y, angular.z];
    if (!values.every(Number.isFinite)) {
      this.node.noticeOnce(`${topic} is refused: not all of it are numbers`);
      return;
    }
    if (!(await this.mayMove(topic, this.velocities))) return;
    this.halt();
    const { tool_m_s } = spec.person;
    const share = (value: number, full: number) => Math.min(1, Math.max(-1, value / full));
    this.session.move({
      linear: [share(linear.x, tool_m_s), share(linear.y, tool_m_s), share(linear.z, tool_m_s)],
      pitch: share(angular.y, tool_m_s / METRES_PER_RAD),
      roll: share(angular.x, tool_m_s / METRES_PER_RAD),
      gripper: 0,
    });
  }

  /** Takes the robot over where it may, and says once why it may not. */
  private async mayMove(topic: string, { matched }: Subscription): Promise<boolean> {
    if (!this.enabled()) return false;
    if (matched > 1) {
      this.node.noticeOnce(
        `${topic} has ${matched} publishers: none is followed while there is more than one`,
      );
      return false;
    }
    if (this.session.active) {
      if (!this.ours) this.node.noticeOnce(`${topic} is refused: somebody else has the robot in hand`);
      return this.ours;
    }
    // A flood waits for one answer.
    this.taking ??= this.session.takeOver().finally(() => {
      this.taking = undefined;
    });
    this.ours = await this.taking;
    if (!this.ours) this.node.noticeOnce(`${topic} is refused: the robot is stopped`);
    return this.ours;
  }

  private advance(): void {
    if (!this.running || !this.session.active) {
      this.halt();
      return;
    }
    const { trajectory, began_s } = this.running;
    const over = sample(trajectory, this.from_rad, this.robot.time.now_s() - began_s, this.target_rad);
    this.robot.personTarget(this.target_rad);
    // The robot goes on to the last target and holds there.
    if (over) this.running = undefined;
  }

  private halt(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.running = undefined;
  }
}
