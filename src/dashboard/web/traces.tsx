import { useMemo, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { Frame, frameSizes } from '../frame.js';
import type { Hello } from '../protocol.js';
import { hello } from './connection.js';
import { history, placeOf, WINDOW_S } from './history.js';
import { type Line, Plot } from './plot.js';

const EVERY_MS = 66;
const COLORS = ['--line-1', '--line-2', '--line-3', '--line-4', '--line-5', '--line-6'];
const XYZ: readonly Line[] = ['x', 'y', 'z'].map((label, i) => ({ label, color: COLORS[i] }));
const WINDOW = [-WINDOW_S, 0] as const;

const QUANTITIES = {
  position: { name: 'Position', unit: 'rad', of: (f: Frame) => f.state.position_rad, span: [-0.1, 0.1] },
  velocity: { name: 'Velocity', unit: 'rad/s', of: (f: Frame) => f.state.velocity_rad_s, span: [-1, 1] },
  torque: { name: 'Torque', unit: 'Nm', of: (f: Frame) => f.state.torque_nm, span: [-1, 1] },
  temperature: { name: 'Temperature', unit: '°C', of: (f: Frame) => f.state.temperature_c, span: [20, 40] },
} as const;
type Quantity = keyof typeof QUANTITIES;

/** What the robot measures, the last ten seconds of it. */
export function Traces() {
  const [quantity, setQuantity] = useState<Quantity>('position');
  const known = hello.value!;
  const layout = useMemo(() => new Frame(frameSizes(known)), [known]);
  const columns = (places: readonly number[]) => (): uPlot.AlignedData | undefined =>
    history.length > 1 ? [history.times(), ...places.map((at) => history.column(at))] : undefined;
  const vector = (of: (frame: Frame) => Float64Array) => {
    const at = placeOf(of, layout);
    return columns([at, at + 1, at + 2]);
  };
  const { unit, of, span } = QUANTITIES[quantity];
  return (
    <section class="traces" aria-label="Measurements">
      <div class="choice" role="radiogroup" aria-label="Joint quantity">
        {(Object.keys(QUANTITIES) as Quantity[]).map((key) => (
          <label key={key}>
            <input
              type="radio"
              name="quantity"
              checked={key === quantity}
              onChange={() => setQuantity(key)}
            />
            <span>{QUANTITIES[key].name}</span>
          </label>
        ))}
        {quantity === 'position' && <small>dashed: target</small>}
      </div>
      <div class="plots">
        {known.groups.map((group) => (
          <JointPlot
            key={`${group.name} ${quantity}`}
            known={known}
            group={group}
            unit={unit}
            span={span}
            at={placeOf(of, layout)}
            target={quantity === 'position' ? placeOf((f) => f.target_rad, layout) : undefined}
            columns={columns}
          />
        ))}
        {known.hasImu && (
          <>
            <Plot
              label="Gyroscope"
              unit="rad/s"
              lines={XYZ}
              height={120}
              every_ms={EVERY_MS}
              window={WINDOW}
              xUnit=" s"
              span={[-1, 1]}
              data={vector((f) => f.state.gyro_rad_s)}
            />
            <Plot
              label="Accelerometer"
              unit="m/s²"
              lines={XYZ}
              height={120}
              every_ms={EVERY_MS}
              window={WINDOW}
              xUnit=" s"
              span={[-2, 12]}
              data={vector((f) => f.state.accel_m_s2)}
            />
          </>
        )}
        {known.feet.length > 0 && <FeetPlot known={known} layout={layout} columns={columns} />}
      </div>
    </section>
  );
}

type Columns = (places: readonly number[]) => () => uPlot.AlignedData | undefined;

function JointPlot(props: {
  readonly known: Hello;
  readonly group: Hello['groups'][number];
  readonly unit: string;
  readonly span: readonly [number, number];
  readonly at: number;
  readonly target: number | undefined;
  readonly columns: Columns;
}) {
  const { known, group, unit, span, at, target, columns } = props;
  const lines = useMemo(() => {
    const own = group.joints.map((joint, i) => ({
      label: shortName(known.joints[joint].name, group.name),
      color: COLORS[i % COLORS.length],
    }));
    return target === undefined ? own : [...own, ...own.map((line) => ({ ...line, dash: [3, 3] }))];
  }, [known, group, target]);
  const places = group.joints.map((joint) => at + joint);
  if (target !== undefined) places.push(...group.joints.map((joint) => target + joint));
  return (
    <Plot
      label={group.name === 'joints' ? 'Joints' : group.name}
      unit={unit}
      lines={lines}
      height={120}
      every_ms={EVERY_MS}
      window={WINDOW}
      xUnit=" s"
      span={span}
      data={columns(places)}
    />
  );
}

function FeetPlot(props: { readonly known: Hello; readonly layout: Frame; readonly columns: Columns }) {
  const { known, layout, columns } = props;
  const lines = useMemo(
    () => known.feet.map((foot, i) => ({ label: foot.replace(/_foot$/, ''), color: COLORS[i] })),
    [known],
  );
  const at = placeOf((f) => f.state.footForce_n, layout);
  return (
    <Plot
      label="Foot force"
      unit="N"
      lines={lines}
      height={120}
      every_ms={EVERY_MS}
      window={WINDOW}
      xUnit=" s"
      span={[0, 60]}
      data={columns(known.feet.map((_, i) => at + i))}
    />
  );
}

/** "FR_hip" of the leg "FR" is its hip. */
function shortName(joint: string, group: string): string {
  return joint.startsWith(`${group}_`) ? joint.slice(group.length + 1) : joint.replaceAll('_', ' ');
}
