import { describe, expect, it } from 'vitest';
import { type ReportStream, reportTo } from '../../src/cli/report.js';
import type { ReportEvent } from '../../src/plumbing/context.js';

const ERASE = '\r\x1b[K';

describe('reportTo', () => {
  it('shows progress on a terminal in one line, which is written again and is gone in the end', () => {
    const end: ReportEvent = { kind: 'progress-end' };
    expect(shown({ isTTY: true }, [progress(999), progress(12_345), end, end])).toBe(
      `copying ... 999${ERASE}copying ... 12,345${ERASE}`,
    );
  });

  it('takes progress away before a notice or a step, so that each has a line of its own', () => {
    const events: ReportEvent[] = [
      progress(1),
      { kind: 'notice', message: 'look' },
      progress(2),
      { kind: 'step', what: 'saving' },
      { kind: 'progress-end' },
    ];
    expect(shown({ isTTY: true }, events)).toBe(`copying ... 1${ERASE}lxcv: look\ncopying ... 2${ERASE}saving ...\n`);
  });

  it('shows notices only where standard error is no terminal', () => {
    const events: ReportEvent[] = [
      progress(1),
      { kind: 'step', what: 'saving' },
      { kind: 'notice', message: 'look' },
      progress(2),
      { kind: 'progress-end' },
    ];
    expect(shown({ isTTY: false }, events)).toBe('lxcv: look\n');
  });

  it.each([
    [20, 19],
    [1, 0],
    [0, 79],
    [undefined, 79],
  ])(
    'leaves the last column of a terminal of %s columns free: a line that wraps could not be erased',
    (columns, width) => {
      const written = shown({ isTTY: true, ...(columns === undefined ? {} : { columns }) }, [
        progress(1, 'n'.repeat(200)),
      ]);
      expect(written).toBe('n'.repeat(width));
    },
  );

  it('lets nothing that it shows move the cursor', () => {
    expect(shown({ isTTY: true }, [progress(1, 'a\x1b[2Jb\nc')])).toBe('a\\x1b[2Jb\\nc ... 1');
  });
});

function progress(steps: number, what = 'copying'): ReportEvent {
  return { kind: 'progress', what, steps };
}

function shown(stream: { isTTY: boolean; columns?: number }, events: readonly ReportEvent[]): string {
  let written = '';
  const write = (text: string) => {
    written += text;
  };
  const report = reportTo({ ...stream, write } as ReportStream);
  for (const event of events) report(event);
  return written;
}
