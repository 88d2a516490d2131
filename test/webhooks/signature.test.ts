import {newSecret, secretProblem, signedHeaders} from '../../src/webhooks/signature.ts';

test('a message is signed as the example of Standard Webhooks is', () => {
  expect(signedHeaders(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, '{"test": 2432232314}')).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330', 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('new secrets are legal, and each is another', () => {
  expect(secretProblem(newSecret())).toBeNull();
  expect(newSecret()).not.toBe(newSecret());
});

test.each(['', 'secret', 'whsec_', 'whsec_short', `whsec_${'A'.repeat(200)}`, `whsec_${'!'.repeat(32)}`])("'%s' is no secret", secret => {
  expect(secretProblem(secret)).not.toBeNull();
});
