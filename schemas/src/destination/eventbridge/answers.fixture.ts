/** The answers of EventBridge (AWS JSON 1.1) to failed requests: emulators don't send them. */
const json = (status: number, code: string) => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify({ __type: code, message: 'said so' }),
});

export const answers = {
  retryable: json(500, 'InternalException'),
  refused: json(400, 'ResourceNotFoundException'),
  throttled: json(400, 'ThrottlingException'),
  unauthorized: json(400, 'UnrecognizedClientException'),
};

export const KEYS = {
  type: 'aws',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
