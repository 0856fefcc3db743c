import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const MODULE = fileURLToPath(new URL('../../dist/src/host/signals.js', import.meta.url));

describe('a signal', () => {
  it('that comes while it is held ends the process when that is ready for it', async () => {
    const { said, signal } = await run(
      `using(() => { kill('SIGTERM'); return turn().then(() => say(signals.abort.reason, signals.abort.aborted)); })
        .then(() => { say('after'); endAsSignalled(); return turn(); }).then(() => say('never'));`,
    );
    expect(said).toEqual(['SIGTERM true', 'after']);
    expect(signal).toBe('SIGTERM');
  });

  it('that comes again while it is held ends the process at once', async () => {
    const { said, signal } = await run(
      `using(() => { kill('SIGINT'); return turn().then(() => { kill('SIGINT'); return turn(); }); }).then(() => say('never'));`,
    );
    expect([said, signal]).toEqual([[], 'SIGINT']);
  });

  it('that comes when it is held no more ends the process as ever', async () => {
    const { said, signal } = await run(
      `using(() => turn()).then(() => { kill('SIGHUP'); return turn(); }).then(() => say('never'));`,
    );
    expect([said, signal]).toEqual([[], 'SIGHUP']);
  });

  it('that was held makes whoever asks stop', async () => {
    const { said } = await run(
      `using(() => { signals.check(); kill('SIGTERM'); return turn().then(() => signals.check()); })
        .catch((error) => say(error.code, error.message));`,
    );
    expect(said).toEqual(['interrupted interrupted by SIGTERM']);
  });
});

/** Runs lines of JavaScript in a process of their own. */
async function run(lines: string): Promise<{ said: string[]; signal: NodeJS.Signals | null }> {
  const script = `
    import { endAsSignalled, processSignals as signals } from ${JSON.stringify(MODULE)};
    const say = (...words) => process.stdout.write(words.join(' ') + '\\n');
    const kill = (signal) => process.kill(process.pid, signal);
    const turn = () => new Promise((resolve) => setTimeout(resolve, 50));
    const using = async (act) => { const hold = signals.hold(); try { return await act(); } finally { hold[Symbol.dispose](); } };
    ${lines}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes;
  });
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { said: said.split('\n').filter((line) => line !== ''), signal };
}
