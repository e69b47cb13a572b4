package workflow

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"turnout.dev/examples/agents/internal/config"
)

const list = "agents:queue"

// RedisQueue is a list in Redis.
type RedisQueue struct{ client *redis.Client }

// Dial makes a client; it connects when it is first used, and reads the password again for each connection.
func Dial(where config.Redis) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr:     where.Address,
		PoolSize: 8,
		CredentialsProviderContext: func(context.Context) (string, string, error) {
			password, err := config.ReadSecret(where.PasswordFile)
			return "", password, err
		},
	})
}

// NewRedisQueue uses a client that stays the caller's.
func NewRedisQueue(client *redis.Client) RedisQueue { return RedisQueue{client} }

func (q RedisQueue) Put(ctx context.Context, id string) error {
	return q.client.LPush(ctx, list, id).Err()
}

func (q RedisQueue) Take(ctx context.Context) (string, error) {
	answer, err := q.client.BRPop(ctx, time.Second, list).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return answer[1], nil
}
