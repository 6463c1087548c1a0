/** `COPY … FROM STDIN` on a connection of pg; answers how many rows there were. What `chunks` yields must stay as it is until the next one is asked for. */
export function copyIn(client, statement, chunks) {
  return new Promise((resolve, reject) => client.query(new CopyIn(statement, chunks, resolve, reject)));
}

const COPY_DATA = 'd'.charCodeAt(0);

/** What pg asks of a query object. */
class CopyIn {
  #rows = 0;
  #failure;

  constructor(statement, chunks, resolve, reject) {
    Object.assign(this, { statement, chunks, resolve, reject });
  }

  submit(connection) {
    connection.query(this.statement);
  }

  handleCopyInResponse(connection) {
    void this.#send(connection);
  }

  handleCommandComplete({ text }) {
    this.#rows = Number(/\d+$/.exec(text)?.[0]);
  }

  handleError(error) {
    this.#failure = error;
    this.reject(error);
  }

  handleReadyForQuery() {
    this.resolve(this.#rows);
  }

  async #send(connection) {
    try {
      for await (const chunk of this.chunks) {
        if (this.#failure) return;
        const head = Buffer.alloc(5, COPY_DATA);
        head.writeInt32BE(chunk.length + 4, 1);
        connection.stream.write(head);
        await new Promise((resolve) => connection.stream.write(chunk, resolve));
      }
      connection.endCopyFrom();
    } catch (error) {
      connection.sendCopyFail(error.message);
    }
  }
}
