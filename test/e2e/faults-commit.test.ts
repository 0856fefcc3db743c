import { describe } from 'vitest';
import { testEveryPoint } from '../support/every-point.js';
import { OPERATIONS } from '../support/operations.js';

describe('a fault at any change that a commit makes', () => {
  testEveryPoint(Object.entries(OPERATIONS).filter(([, operation]) => operation.verb === 'commit'));
});
