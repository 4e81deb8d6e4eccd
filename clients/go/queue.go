package main

import (
	"context"
	"crypto/rand"

	"google.golang.org/protobuf/types/known/structpb"

	commonv1 "github.com/bluesky/bluesky-queueserver-grpc/clients/go/gen/queueserver/common/v1"
	managerv1 "github.com/bluesky/bluesky-queueserver-grpc/clients/go/gen/queueserver/manager/v1"
)

// planNames lists the plans that the caller may use, page by page.
func (c client) planNames(ctx context.Context) ([]string, error) {
	var names []string
	request := &managerv1.ListPlansRequest{}
	for {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		page, err := c.inventory.ListPlans(call, request)
		cancel()
		if err != nil {
			return nil, err
		}
		for _, plan := range page.GetPlans() {
			names = append(names, plan.GetName())
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return names, nil
		}
	}
}

// addScan adds a scan of num points to the back of the queue. A number that is none is refused by the server.
func (c client) addScan(ctx context.Context, num any) (*commonv1.Item, error) {
	args, err := structpb.NewList([]any{[]any{"direct_img", "det"}, "motor", -1, 1})
	if err != nil {
		return nil, err
	}
	kwargs, err := structpb.NewStruct(map[string]any{"num": num})
	if err != nil {
		return nil, err
	}
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	// With a request id the call can be repeated after a broken connection without adding a second scan.
	answer, err := c.queue.AddItem(call, &managerv1.AddItemRequest{
		Item:      &commonv1.ItemSpec{Name: "scan", Args: args, Kwargs: kwargs},
		RequestId: rand.Text(),
	})
	return answer.GetItem(), err
}

// start starts the queue.
func (c client) start(ctx context.Context) error {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := c.queue.StartQueue(call, &managerv1.StartQueueRequest{RequestId: rand.Text()})
	return err
}
