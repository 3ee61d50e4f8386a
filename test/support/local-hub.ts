import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface LocalHub {
  endpoint: string;
  /** The paths that were asked for. */
  asked: string[];
  /** Refuses everything with this status, as a gated model's files are. */
  refuseWith(status: number | undefined): void;
  close(): Promise<void>;
}

/** A Hugging Face hub on this machine: folders by the names of their repositories. */
export async function startLocalHub(folders: Readonly<Record<string, string>>): Promise<LocalHub> {
  const asked: string[] = [];
  let status: number | undefined;
  const server = createServer((request, response) => {
    const [, repository, file] = /^\/(.+)\/resolve\/main\/(.+)$/.exec(request.url ?? '') ?? [];
    asked.push(`${repository} ${file}`);
    if (status !== undefined) return response.writeHead(status).end();
    let body: Buffer;
    try {
      body = readFileSync(join(folders[repository], file));
    } catch {
      return response.writeHead(404).end();
    }
    response.writeHead(200, {
      etag: `"${file.replaceAll('.', '-')}"`,
      'x-repo-commit': 'c0ffee',
      'content-length': body.length,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    refuseWith: (given) => {
      status = given;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
