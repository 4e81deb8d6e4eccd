package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	commonv1 "github.com/bluesky/bluesky-queueserver-grpc/clients/go/gen/queueserver/common/v1"
	managerv1 "github.com/bluesky/bluesky-queueserver-grpc/clients/go/gen/queueserver/manager/v1"
)

// longestSilence ends a broken watch that gRPC still takes for open: the server sends something every 10 seconds.
const longestSilence = 30 * time.Second

// watch is what survives a broken connection.
type watch struct {
	client
	itemUID  string
	measured *readings
	// token is where to continue; empty before the snapshot is complete.
	token   string
	started bool
	lost    bool
}

// follow starts the queue and waits for the end of an item, whatever happens to the Manager meanwhile.
func (c client) follow(ctx context.Context, itemUID string, measured *readings) (*commonv1.ItemResult, error) {
	w := watch{client: c, itemUID: itemUID, measured: measured}
	for {
		result, err := w.once(ctx)
		if result != nil {
			return result, nil
		}
		code, reason := status.Code(err), reasonOf(err)
		switch {
		case ctx.Err() != nil:
			return nil, err
		case reason == "RESUME_TOKEN_EXPIRED":
			// We were away for so long that the changes are no longer kept: begin anew, with a snapshot.
			w.token = ""
		case code == codes.Unavailable, code == codes.Canceled, reason == "WATCHER_TOO_SLOW":
		default:
			return nil, err
		}
		if !w.lost {
			fmt.Println("Reconnecting:", nameOf(code))
			w.lost = true
		}
		time.Sleep(retryDelay(err))
	}
}

// once watches until the item has ended or the stream breaks.
func (w *watch) once(ctx context.Context) (*commonv1.ItemResult, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silence := time.AfterFunc(longestSilence, cancel)
	defer silence.Stop()
	stream, err := w.events.WatchEvents(ctx, &managerv1.WatchEventsRequest{
		Kinds:           []managerv1.EventKind{managerv1.EventKind_EVENT_KIND_DOCUMENT, managerv1.EventKind_EVENT_KIND_HISTORY},
		ResumeToken:     w.token,
		MaxMessageBytes: longestMessage,
	}, grpc.WaitForReady(true))
	if err != nil {
		return nil, err
	}
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, status.Error(codes.Unavailable, "the server ended the watch")
		}
		if err != nil {
			return nil, err
		}
		silence.Reset(longestSilence)
		w.lost = false
		if result := w.take(message); result != nil {
			return result, nil
		}
		if token := message.GetResumeToken(); token != "" {
			w.token = token
		}
		if !w.started && message.GetSnapshot().GetComplete() {
			// Nothing of the scan can be missed from here on.
			if err := w.start(ctx); err != nil {
				return nil, err
			}
			w.started = true
			fmt.Println("Queue started")
		}
	}
}

// take looks at one message; it answers the result of the item when that is there.
func (w *watch) take(message *managerv1.WatchEventsResponse) *commonv1.ItemResult {
	for _, emitted := range message.GetSnapshot().GetDocuments() {
		w.takeDocument(emitted)
	}
	for _, entry := range message.GetSnapshot().GetHistory() {
		if entry.GetItem().GetItemUid() == w.itemUID {
			return entry.GetResult()
		}
	}
	for _, event := range message.GetBatch().GetEvents() {
		w.takeDocument(event.GetDocument())
		if entry := event.GetHistoryAdded().GetEntry(); entry.GetItem().GetItemUid() == w.itemUID {
			return entry.GetResult()
		}
	}
	return nil
}

func (w *watch) takeDocument(emitted *managerv1.DocumentEmitted) {
	if emitted.GetItemUid() == w.itemUID {
		w.measured.add(emitted.GetDocument())
	}
}
