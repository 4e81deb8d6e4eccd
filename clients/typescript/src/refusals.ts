import { Code, ConnectError } from "@connectrpc/connect";

import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.js";

/** All that the server says about a call that failed: code, reason, sentence, and the wrong fields. */
export function describe(error: unknown): string {
  if (!(error instanceof ConnectError)) {
    return String(error);
  }
  const reasons = error.findDetails(ErrorInfoSchema).map((info) => ` ${info.reason}`);
  const violations = error
    .findDetails(BadRequestSchema)
    .flatMap((request) => request.fieldViolations)
    .map((violation) => `\n  ${violation.field}: ${violation.description}`);
  return `${nameOf(error.code)}${reasons.join("")}: ${error.rawMessage}${violations.join("")}`;
}

/** Name of a status code in the form that all languages share, such as INVALID_ARGUMENT. */
export function nameOf(code: Code): string {
  return Code[code].replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

/** The stable reason of a refusal; empty if the error does not come from the Queue Server. */
export function reasonOf(error: ConnectError): string {
  return error.findDetails(ErrorInfoSchema)[0]?.reason ?? "";
}

/** Milliseconds that the server asks to wait before the call is repeated. */
export function retryDelay(error: ConnectError): number {
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return delay ? Number(delay.seconds) * 1000 + delay.nanos / 1e6 : 200;
}
