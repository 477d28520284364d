import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mutate, mutations } from '../../bench/mutations/mutations.js';
import { runCampaign } from '../../sim/campaign/campaign.js';
import { faultKinds } from '../../sim/campaign/faults.js';
import { packageRoot } from '../../src/base/files.js';

describe('the campaign', () => {
  it('breaks robots that walk and reach, finds nothing, and draws the same faults from a seed', async () => {
    const { faults, violations, examples, by_fault, latest_stop_ms } = await runCampaign({
      faults: 60,
      seed: 3,
    });
    expect({ faults, violations, examples }).toEqual({ faults: 60, violations: 0, examples: [] });
    expect(Object.keys(by_fault).length).toBeGreaterThan(faultKinds.length / 2);
    // The longest is the time that sensing may be away.
    expect(latest_stop_ms).toBeGreaterThan(0);
    expect(latest_stop_ms).toBeLessThan(300);
    const one = await runCampaign({ faults: 4, seed: 3 });
    expect(await runCampaign({ faults: 4, seed: 3 })).toEqual(one);
  });
});

describe('the mutations', () => {
  it.each(mutations)('"$name" still has a function to switch off', (mutation) => {
    const source = readFileSync(join(packageRoot, 'dist', mutation.file), 'utf8');
    expect(mutate(source, mutation)).not.toBe(source);
  });
});
