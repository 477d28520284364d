/** How a run comes to its end: the first word counts, and an emergency stop is heard after it too. */
export class Ending {
  readonly happened: Promise<string>;
  /** Resolves at an emergency stop, whenever that is. */
  readonly emergency: Promise<void>;
  isEmergency = false;
  end!: (how: string) => void;
  fail!: (error: Error) => void;
  emergencyStop!: () => void;

  constructor() {
    this.happened = new Promise((resolve, reject) => {
      this.end = resolve;
      this.fail = reject;
    });
    // A failure before anybody waits must not end the process at once.
    this.happened.catch(() => {});
    this.emergency = new Promise((resolve) => {
      this.emergencyStop = () => {
        this.isEmergency = true;
        resolve();
      };
    });
  }
}
