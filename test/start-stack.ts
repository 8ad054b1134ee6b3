import { inject } from 'vitest';
import { type LocalStack, type LocalStackOptions, startLocalStack } from '../infra/local/local-stack.ts';

/** Starts the local stack on a free port. Without `settings`, it uses the cloud assembly that all tests share. */
export function startStack(options: Partial<LocalStackOptions> = {}): Promise<LocalStack> {
  const shared = options.settings ? {} : { assembly: inject('localAssembly').folder };
  return startLocalStack({ port: 0, log: () => {}, ...shared, ...options });
}
