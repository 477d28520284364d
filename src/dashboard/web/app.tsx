import type { Hello } from '../protocol.js';
import { connected, hello, refusal } from './connection.js';
import { LearningPanel } from './learningPanel.js';
import { LoopPanel } from './loopPanel.js';
import { PolicyPanel } from './policyPanel.js';
import { RecordingPanel } from './recordingPanel.js';
import { RobotPanel } from './robotPanel.js';
import { SafetyPanel } from './safetyPanel.js';
import { StatusBar } from './statusBar.js';
import { TeleopPanel } from './teleopPanel.js';
import { Traces } from './traces.js';
import { TrainingCurves, TrainingPanel } from './trainingPanel.js';
import { WorldModelPanel } from './worldModelPanel.js';

function bannerOf(known: Hello | undefined): string {
  if (!known) return 'Connecting…';
  if (known.training) return 'Training is over, or was ended. Looking for the robot…';
  return 'The robot process is not there. Looking for it…';
}

/** The instrument panel: the robot and what it measures on the left, who commands it on the right. */
export function App() {
  const known = hello.value;
  return (
    <>
      <StatusBar />
      {!connected.value && (
        <p class="banner" role="status">
          {bannerOf(known)}
        </p>
      )}
      {refusal.value && (
        <p class="banner refused" role="alert">
          {refusal.value}
          <button type="button" class="plain" onClick={() => (refusal.value = undefined)}>
            Dismiss
          </button>
        </p>
      )}
      {known && (
        // A robot process that started anew may run another robot.
        <main key={known.session} class={connected.value ? '' : 'stale'}>
          <RobotPanel />
          {known.training ? (
            <>
              <aside>
                <TrainingPanel />
              </aside>
              <TrainingCurves />
              <WorldModelPanel />
            </>
          ) : (
            <>
              <aside>
                <SafetyPanel />
                <TeleopPanel />
                <RecordingPanel />
                <PolicyPanel />
                <LearningPanel />
                <LoopPanel />
              </aside>
              <Traces />
              <WorldModelPanel />
            </>
          )}
        </main>
      )}
    </>
  );
}
