/** The option `--stage` of the commands that work on a running stage. */
export const STAGE_OPTION = { stage: { type: 'string', default: 'dev' } } as const;

/** The description of `--stage` in the output of --help. */
export const STAGE_HELP = `  --stage NAME       A deployed stage, in the account and region that cdk deploy
                     would use; or local for the stack that npm start runs
                     (local:4000 if it listens on port 4000). Default dev.`;
