import { describe } from 'vitest';
import { testEveryCut } from '../support/every-cut.js';
import { OPERATIONS } from '../support/operations.js';

describe('a power cut at any change that a commit makes', () => {
  testEveryCut(Object.entries(OPERATIONS).filter(([, { verb }]) => verb === 'commit'));
});
