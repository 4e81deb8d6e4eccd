package io.blueskyproject.queueserver.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.Durations;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What the server says when a call does not succeed: code, stable reason, sentence, and the fields that are wrong. */
record Refusal(Status.Code code, String reason, String message, List<BadRequest.FieldViolation> violations,
    Duration retryDelay) {

  static Refusal of(StatusRuntimeException error) {
    String reason = "";
    List<BadRequest.FieldViolation> violations = new ArrayList<>();
    Duration retryDelay = Duration.ofSeconds(1);
    com.google.rpc.Status status = StatusProto.fromThrowable(error);
    try {
      for (Any detail : status.getDetailsList()) {
        if (detail.is(ErrorInfo.class)) {
          reason = detail.unpack(ErrorInfo.class).getReason();
        } else if (detail.is(BadRequest.class)) {
          violations.addAll(detail.unpack(BadRequest.class).getFieldViolationsList());
        } else if (detail.is(RetryInfo.class)) {
          retryDelay = Duration.ofMillis(Durations.toMillis(detail.unpack(RetryInfo.class).getRetryDelay()));
        }
      }
    } catch (InvalidProtocolBufferException unreadable) {
      throw new IllegalStateException("the server sent details that can't be read", unreadable);
    }
    return new Refusal(error.getStatus().getCode(), reason, status.getMessage(), violations, retryDelay);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("%s: %s".formatted(reason.isEmpty() ? code : code + " " + reason, message));
    for (BadRequest.FieldViolation violation : violations) {
      text.append("%n  %s: %s".formatted(violation.getField(), violation.getDescription()));
    }
    return text.toString();
  }
}
