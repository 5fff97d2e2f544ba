// The forms of hub.mjs, for the tests in TypeScript.
/** The real server as a child process, on a port and in a folder of its own. */
export declare class RealHub {
  static start(...flags: string[]): Promise<RealHub>;
  readonly url: string;
  readonly demoFile: string;
  /** Starts the process; also after a kill, in the same folder. */
  up(): Promise<void>;
  kill(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
  stop(): Promise<void>;
}
