import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { answerMark, type ErrorAnswer, type Request } from "./protocol.js";

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What a system answered in place of a result. */
export class SystemError extends Error {
  readonly unsupported: boolean;
  constructor(message: string, unsupported = false) {
    super(message);
    this.unsupported = unsupported;
  }
}

/** A system in a process of its own, one request at a time. */
export class SystemProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  #waiting: { resolve(answer: string): void; reject(error: Error): void } | undefined;
  #noise = "";
  #ended: string | undefined;

  constructor(command: Command) {
    this.#child = spawn(command.program, command.args, { env: { ...process.env, ...command.env }, stdio: "pipe" });
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      if (line.startsWith(answerMark)) this.#waiting?.resolve(line.slice(answerMark.length));
    });
    this.#child.stderr.on("data", (data: Buffer) => { this.#noise = (this.#noise + data.toString()).slice(-2000); });
    this.#child.on("error", (error) => { this.#end(error.message); });
    this.#child.on("close", (code, signal) => { this.#end(`the process ended (${signal ?? code}): ${this.#lastWords()}`); });
    this.#child.stdin.on("error", () => undefined); // "close" tells why
  }

  get ended(): boolean { return this.#ended !== undefined; }

  #lastWords(): string {
    const lines = this.#noise.trim().split("\n");
    return (lines.find((line) => line.includes("Error")) ?? lines.at(-1) ?? "").trim().slice(0, 200);
  }

  #end(reason: string): void {
    this.#ended ??= reason;
    this.#waiting?.reject(new SystemError(reason));
    this.#waiting = undefined;
  }

  /** @throws SystemError for what the system could not do, and when it takes longer than `seconds`; then it is ended. */
  async ask<T extends object>(request: Request, seconds: number): Promise<T> {
    if (this.#ended !== undefined) throw new SystemError(this.#ended);
    const line = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#end(`no answer in ${seconds} s`);
        this.#child.kill("SIGKILL");
      }, seconds * 1000);
      this.#waiting = {
        resolve: (text) => { clearTimeout(timer); resolve(text); },
        reject: (error) => { clearTimeout(timer); reject(error); },
      };
      this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    });
    this.#waiting = undefined;
    const answer = JSON.parse(line) as T | ErrorAnswer;
    if ("error" in answer) throw new SystemError(answer.error, answer.unsupported);
    return answer;
  }

  /** Ends the process and waits until it is gone. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => this.#child.once("close", () => { resolve(); }));
    this.#child.kill("SIGKILL");
    await gone;
  }
}
