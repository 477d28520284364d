import { beforeEach, describe, expect, it } from 'vitest';
import type { ResetReport } from '../../src/control/resetReport.js';
import type { Behaviour, Progress, View } from '../../src/reset/behaviour.js';
import { Recovery, type RecoveryOptions } from '../../src/reset/recovery.js';
import type { Condition, Trouble } from '../../src/reset/trouble.js';
import { loadRobot } from '../../src/robot/load.js';
import { RobotState } from '../../src/robot/state.js';

const quadruped = { ...loadRobot('quadruped').spec, geofence: { side_m: 4 } };
const arm = loadRobot('arm').spec;

/** Does what it is told, and counts how often it began. */
class Willing implements Behaviour {
  readonly rate_hz = 50;
  begun = 0;
  progress: Progress = 'going';
  constructor(readonly name: string) {}
  begin(): void {
    this.begun++;
  }
  next(): Progress {
    return this.progress;
  }
}

class Scene {
  readonly reports: ResetReport[] = [];
  readonly done: string[] = [];
  readonly behaviours = [new Willing('first'), new Willing('second')];
  readonly recovery: Recovery;
  readonly view: { -readonly [K in keyof View]: View[K] };
  condition: Condition = {
    mode: 'run',
    authority: 'policy',
    latched: undefined,
    awaits_recovery: false,
    policy: 1,
  };

  constructor(spec: typeof quadruped | typeof arm, options: Partial<RecoveryOptions> = {}) {
    const state = RobotState.for(spec);
    state.position_rad.set(spec.joints.map((j) => j.home_rad));
    this.view = {
      time_s: 0,
      state,
      executed_rad: Float64Array.from(state.position_rad),
      place_m: [0, 0],
      estimate: { position_m: new Float64Array(3), velocity_m_s: new Float64Array(3) },
    };
    const known = (trouble: Trouble) => (trouble === 'latched' ? [] : this.behaviours);
    const given = { behavioursFor: known, tries: 3, noProgress_s: 20, mayLie: false, ...options };
    this.recovery = new Recovery(spec, given, {
      takeOver: () => {
        this.done.push('take over');
        this.condition = { ...this.condition, mode: 'run', authority: 'recovery', awaits_recovery: false };
      },
      lead: () => this.done.push('lead'),
      release: () => {
        this.done.push('release');
        this.condition = { ...this.condition, mode: 'run', authority: 'policy' };
      },
      stop: () => {
        this.done.push('stop');
        this.condition = { ...this.condition, mode: 'stopping', authority: 'stop' };
      },
      tell: (report) => this.reports.push(report),
    });
  }

  run(seconds: number, change?: () => void): void {
    for (const end_s = this.view.time_s + seconds; this.view.time_s < end_s; ) {
      this.view.time_s += this.recovery.period_s;
      change?.();
      this.recovery.next(this.view, this.condition);
    }
  }

  fall(): void {
    this.condition = { ...this.condition, mode: 'damp', authority: 'stop', awaits_recovery: true };
  }

  get outcomes(): string[] {
    return this.reports.map((r) => `${r.trouble} ${r.outcome} ${r.behaviour ?? ''}`.trim());
  }
}

describe('a fallen robot', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene(quadruped);
    scene.fall();
  });

  it('is let lie until it is braked, then got up, and given back to its policy', () => {
    scene.run(0.4);
    expect(scene.done).toEqual([]);
    scene.run(1);
    expect(scene.condition.authority).toBe('recovery');
    expect(scene.done).toContain('lead');
    scene.behaviours[0].progress = 'done';
    scene.run(0.1);
    expect(scene.done.at(-1)).toBe('release');
    expect(scene.outcomes).toEqual(['fall begun first', 'fall done first']);
  });

  it('is tried again the next way, and a person is asked when none helped, once', () => {
    scene.behaviours.forEach((b) => {
      b.progress = 'failed';
    });
    // Given back lying, it falls again at once.
    scene.run(20, () => scene.condition.authority === 'policy' && scene.fall());
    expect(scene.behaviours.map((b) => b.begun)).toEqual([1, 2]);
    expect(scene.outcomes.filter((o) => o.includes('person'))).toEqual(['fall person_asked']);
    expect(scene.condition.authority).toBe('stop');
    scene.condition = { ...scene.condition, mode: 'run', authority: 'policy', awaits_recovery: false };
    scene.run(0.3);
    expect(scene.outcomes.at(-1)).toBe('fall person_helped');
  });

  it('is got up as often as it falls, as long as that works', () => {
    scene.behaviours[0].progress = 'done';
    scene.run(60, () => scene.condition.authority === 'policy' && scene.fall());
    expect(scene.behaviours[0].begun).toBeGreaterThan(10);
    expect(scene.outcomes.filter((o) => o.includes('person'))).toEqual([]);
  });

  it('belongs to the person who takes it over in the middle of getting up', () => {
    scene.run(1);
    scene.condition = { ...scene.condition, authority: 'person' };
    scene.run(2);
    expect(scene.outcomes).toEqual(['fall begun first', 'fall interrupted first']);
    expect(scene.done).not.toContain('release');
  });

  it('is left alone where its task is to get up, and after an emergency stop', () => {
    const lying = new Scene(quadruped, { mayLie: true });
    lying.fall();
    lying.run(5);
    expect(lying.done).toEqual([]);
    scene.condition = { ...scene.condition, latched: 'emergency_stop', awaits_recovery: false };
    scene.run(5);
    expect(scene.done).toEqual([]);
  });
});

it('sensing that cannot be believed is for a person', () => {
  const scene = new Scene(arm);
  scene.condition = { ...scene.condition, mode: 'damp', authority: 'stop', latched: 'sensor_invalid' };
  scene.run(1);
  expect(scene.outcomes).toEqual(['latched person_asked']);
  expect(scene.done).toEqual([]);
});

it('a robot is turned back before its fence, and stopped where nothing brings it back', () => {
  const scene = new Scene(quadruped);
  scene.run(1);
  expect(scene.done).toEqual([]);
  scene.view.place_m = [0, -1.55];
  scene.behaviours.forEach((b) => {
    b.progress = 'failed';
  });
  scene.run(10);
  expect(scene.reports.every((r) => r.trouble === 'fence')).toBe(true);
  expect(scene.done.at(-1)).toBe('stop');
  expect(scene.outcomes.at(-1)).toBe('fence person_asked');
});

it('a robot that gets nowhere begins anew, not one that moves or has no policy', () => {
  const scene = new Scene(quadruped);
  let x_m = 0;
  scene.run(60, () => {
    x_m = (x_m + 0.01) % 1;
    scene.view.place_m = [x_m, 0];
  });
  expect(scene.reports).toEqual([]);
  scene.condition = { ...scene.condition, policy: 0 };
  scene.run(60);
  expect(scene.reports).toEqual([]);
  scene.condition = { ...scene.condition, policy: 1 };
  scene.run(19);
  expect(scene.reports).toEqual([]);
  scene.run(3);
  expect(scene.outcomes).toEqual(['no_progress begun first']);
});

it('an arm whose joint does not come to its target, or whose tool is outside, goes home', () => {
  const stuck = new Scene(arm);
  stuck.view.state.position_rad[1] += 0.6;
  stuck.run(1);
  expect(stuck.reports).toEqual([]);
  stuck.run(2);
  expect(stuck.outcomes[0]).toBe('stuck_joint begun first');
  const outside = new Scene(arm);
  outside.view.state.position_rad.set([0, 1.5, 0.6, 0.5, 0, 0]);
  outside.view.executed_rad.set(outside.view.state.position_rad);
  outside.run(2);
  expect(outside.outcomes[0]).toBe('workspace begun first');
});

it('goes home between episodes where that is wanted', () => {
  const scene = new Scene(arm);
  scene.recovery.episodeOver();
  scene.run(0.2);
  expect(scene.outcomes).toEqual(['time_out begun first']);
});
