import {request as overHttp} from 'node:http';
import {request as overHttps} from 'node:https';

/** POSTs a text and waits for the answer for as long as the server takes: `fetch` gives up after five minutes without a word. */
export function patientPost(url: URL, body: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  const request = url.protocol === 'https:' ? overHttps : overHttp;
  return new Promise((resolve, reject) => {
    const sent = request(url, {method: 'POST', headers: {...headers, 'content-length': Buffer.byteLength(body)}}, answer => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('error', reject);
      answer.on('end', () => resolve(new Response(Buffer.concat(pieces), {status: answer.statusCode})));
    });
    sent.setSocketKeepAlive(true, 30_000);
    sent.on('error', reject);
    sent.end(body);
  });
}
