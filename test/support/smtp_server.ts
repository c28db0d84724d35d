import type { Socket } from "node:net";
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from "smtp-server";
import { Authority, type Certificate, hasOpenssl } from "./certificates.ts";

/** A mail that the server accepted. */
export interface AcceptedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  readonly secure: boolean;
  readonly user: string | undefined;
}

export interface TestSmtpServer {
  readonly port: number;
  readonly mails: AcceptedMail[];
  /** Connections so far. */
  readonly sockets: readonly Socket[];
  close(): Promise<void>;
}

/** An error that the server answers with. */
export function answers(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

/** Options as functions of what breaks the line of all connections. */
export type SmtpOptions = (cut: () => void) => SMTPServerOptions;

let made: Certificate | undefined;

/** Without openssl the server uses one of its own, which has expired. */
function certificate(): Partial<Certificate> {
  if (made !== undefined || !hasOpenssl()) return { ...made };
  const authority = new Authority();
  made = authority.selfSigned();
  authority.remove();
  return made;
}

/** A real mail server on loopback, with STARTTLS and a certificate that nobody vouches for. */
export async function startSmtpServer(options: SmtpOptions = () => ({})): Promise<TestSmtpServer> {
  const sockets: Socket[] = [];
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const given = options(cut);
  const { onData } = given;
  const accept = ({ envelope, secure, user }: SMTPServerSession, raw: string): void => {
    const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
    const to = envelope.rcptTo.map(({ address }) => address);
    result.mails.push({ from, to, raw, secure, user: user || undefined });
  };
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    ...certificate(),
    ...given,
    onData: (stream, session, callback) => {
      if (onData !== undefined) return onData(stream, session, callback);
      const chunks: Buffer[] = [];
      stream.on("data", (chunk) => chunks.push(Buffer.from(chunk)));
      stream.on("end", () => {
        if (!stream.sizeExceeded) accept(session, Buffer.concat(chunks).toString());
        callback(null);
      });
    },
  });
  // A client that hangs up is not an error of the test.
  server.on("error", () => {});
  const result: TestSmtpServer = {
    port: 0,
    mails: [],
    sockets,
    close: async () => {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  server.server.on("connection", (socket: Socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server has no port");
  return Object.assign(result, { port: address.port });
}
