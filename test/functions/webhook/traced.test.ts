import { describe, expect, it } from 'vitest';
import { traced } from '../../../functions/webhook/traced.ts';

describe('the trace of a delivery', () => {
  it('continues in the queue', () => {
    const header = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';

    expect(traced({ _X_AMZN_TRACE_ID: header })).toEqual({
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: header } },
    });
  });

  it('adds nothing to the message when the invocation has no trace', () => {
    expect(traced({})).toEqual({});
  });
});
