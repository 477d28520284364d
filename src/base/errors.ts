import { z } from 'zod';

/**
 * A mistake in something the user wrote or asked for: a file, a flag, a name.
 * The command line prints its message alone, without a stack, and exits with 2.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/**
 * Parses what a user wrote against a schema.
 * @param where the file (and place in it) that the value came from, named in the error
 * @throws UserError with zod's prettified issues, one line each
 */
export function parseUserInput<T extends z.ZodType>(schema: T, value: unknown, where: string): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new UserError(`${where}:\n${z.prettifyError(result.error)}`);
}
