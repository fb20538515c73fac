import { currentContext } from '../context/context';

/** What every log line says of the work in hand. A new object each time, because pino adds the line's own fields to it. */
export function logFields(): Record<string, string> {
  const context = currentContext();
  const fields: Record<string, string> = {};
  if (context.requestId !== undefined) fields.request_id = context.requestId;
  if (context.operationId !== undefined) fields.operation_id = context.operationId;
  if (context.workspaceId !== undefined) fields.workspace_id = context.workspaceId;
  if (context.orgId !== undefined) fields.org_id = context.orgId;
  if (context.traceId !== undefined) fields.trace_id = context.traceId;
  return fields;
}
