// The error type: its fields and exit codes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OneVisionError } from './errors.ts';

test('an error carries code, hint, cause and exit code', () => {
  const cause = new Error('inner');
  const error = new OneVisionError('data', 'expected x', { hint: 'do y', cause });
  assert.equal(error.message, 'expected x');
  assert.equal(error.hint, 'do y');
  assert.equal(error.cause, cause);
  assert.equal(error.exitCode, 4);
  assert.equal(new OneVisionError('interrupted', 'stop').exitCode, 130);
  assert.equal(new OneVisionError('usage', 'no').hint, undefined);
});
