package main

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// describe tells all that the server says about a call that failed: code, reason, sentence, and the wrong fields.
func describe(err error) string {
	refusal, ok := status.FromError(err)
	if !ok {
		return err.Error()
	}
	var text strings.Builder
	text.WriteString(nameOf(refusal.Code()))
	var violations []*errdetails.BadRequest_FieldViolation
	for _, detail := range refusal.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			text.WriteString(" " + detail.GetReason())
		case *errdetails.BadRequest:
			violations = detail.GetFieldViolations()
		}
	}
	text.WriteString(": " + refusal.Message())
	for _, violation := range violations {
		fmt.Fprintf(&text, "\n  %s: %s", violation.GetField(), violation.GetDescription())
	}
	return text.String()
}

// nameOf is the name of a status code in the form that all languages share, such as INVALID_ARGUMENT.
func nameOf(c codes.Code) string {
	return code.Code(c).String()
}

// reasonOf is the stable reason of a refusal; empty if the error does not come from the Queue Server.
func reasonOf(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

// retryDelay is how long the server asks to wait before the call is repeated.
func retryDelay(err error) time.Duration {
	for _, detail := range status.Convert(err).Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			return retry.GetRetryDelay().AsDuration()
		}
	}
	return 200 * time.Millisecond
}
