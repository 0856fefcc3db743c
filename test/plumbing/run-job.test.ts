import { describe, expect, it } from 'vitest';
import { machine } from '../../src/host/host.js';
import type { BatchJob } from '../../src/model/job.js';
import type { Context, ReportEvent } from '../../src/plumbing/context.js';
import { runJob } from '../../src/plumbing/run-job.js';

describe('runJob', () => {
  it('returns the result, and neither breathes nor reports for what is over at once', async () => {
    const stepped = steppedWorld();
    await expect(runJob(stepped.context, 'counting', stepped.job(10, 1))).resolves.toBe('result');
    expect(stepped.breaths).toEqual([]);
    expect(stepped.events).toEqual([]);
  });

  it('breathes every 50 milliseconds, however short the steps are', async () => {
    const stepped = steppedWorld();
    await runJob(stepped.context, 'counting', stepped.job(20, 10));
    expect(stepped.breaths).toEqual([50, 100, 150, 200]);
    expect(stepped.events).toEqual([]);
  });

  it('breathes too when the clock was set back, and goes on by that', async () => {
    const stepped = steppedWorld({ setBackAt: 120 });
    await runJob(stepped.context, 'counting', stepped.job(20, 10));
    expect(stepped.breaths).toEqual([50, 100, 120, 170]);
  });

  it('reports progress once a second has passed, and in the end that it is over', async () => {
    const stepped = steppedWorld();
    await runJob(stepped.context, 'counting', stepped.job(11, 100));
    expect(stepped.events).toEqual([
      { kind: 'progress', what: 'counting', steps: 10 },
      { kind: 'progress', what: 'counting', steps: 11 },
      { kind: 'progress-end' },
    ]);
  });

  it('tells the machine once where a job is a large one', async () => {
    const stepped = steppedWorld();
    await runJob(stepped.context, 'counting', stepped.job(9_999, 0));
    expect(stepped.sparings).toEqual([]);
    await runJob(stepped.context, 'counting', stepped.job(20_001, 0));
    expect(stepped.sparings).toEqual(['spared']);
  });

  it('counts what is done many at a time', async () => {
    const stepped = steppedWorld();
    await runJob(stepped.context, 'listing', stepped.job(2, 1_000, { things: 5_000 }));
    expect(stepped.events[0]).toEqual({ kind: 'progress', what: 'listing', steps: 5_000 });
    expect(stepped.events[1]).toEqual({ kind: 'progress', what: 'listing', steps: 10_000 });
    expect(stepped.sparings).toEqual(['spared']);
  });

  it('ends the job at the next breath where a signal came', async () => {
    const stepped = steppedWorld({ interruptedAt: 1200 });
    await expect(runJob(stepped.context, 'counting', stepped.job(100, 100))).rejects.toThrow('interrupted');
    expect(stepped.passed).toBe(1200);
    expect(stepped.disposed).toBe(1);
    expect(stepped.events.at(-1)).toEqual({ kind: 'progress-end' });
  });

  it('passes on what the job throws, and clears the progress', async () => {
    const stepped = steppedWorld();
    await expect(
      runJob(stepped.context, 'counting', stepped.job(20, 100, { failure: new Error('no') })),
    ).rejects.toThrow('no');
    expect(stepped.disposed).toBe(1);
    expect(stepped.events.filter(({ kind }) => kind === 'progress-end')).toHaveLength(1);
    expect(stepped.events.at(-1)).toEqual({ kind: 'progress-end' });
  });
});

/** The machine with a clock that only a job's steps move on. */
function steppedWorld({ interruptedAt = Number.POSITIVE_INFINITY, setBackAt = Number.POSITIVE_INFINITY } = {}) {
  const events: ReportEvent[] = [];
  const breaths: number[] = [];
  const sparings: string[] = [];
  const state = { events, breaths, sparings, passed: 0, disposed: 0 };
  const check = () => {
    if (state.passed >= interruptedAt) throw new Error('interrupted');
  };
  const host: Context['host'] = {
    ...machine,
    signals: { ...machine.signals, check },
    wallMs: () => state.passed - (state.passed >= setBackAt ? 1_000_000 : 0),
    yieldToEventLoop: async () => void breaths.push(state.passed),
  };
  function* job(
    steps: number,
    stepMs: number,
    { failure, things }: { failure?: Error; things?: number } = {},
  ): BatchJob<string> {
    using _ = {
      [Symbol.dispose]() {
        state.disposed += 1;
      },
    };
    for (let step = 0; step < steps; step += 1) {
      state.passed += stepMs;
      yield things;
    }
    if (failure !== undefined) throw failure;
    return 'result';
  }
  const context: Context = {
    host,
    lxcpath: '/nowhere',
    report: (event) => events.push(event),
    onLarge: () => sparings.push('spared'),
  };
  return Object.assign(state, { context, job });
}
