// The first steps of an administrator: a password, and a branch to work in.
import { HubError } from "../client/index";
import { byId, setText } from "../common/dom";
import { createLocation, setPassword } from "./http";
import { errorWords, say } from "./words";

const FALLBACK_ZONE = "Etc/UTC";

function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone || FALLBACK_ZONE;
}

function field(id: string): HTMLInputElement {
  return byId<HTMLInputElement>(id);
}

export class Setup {
  private password = false;
  private location = false;

  /** done is called once everything asked for is saved. */
  constructor(private readonly done: () => void) {
    byId("setup-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.save();
    });
  }

  begin(password: boolean, location: boolean): void {
    this.password = password;
    this.location = location;
    byId("setup-password-part").hidden = !password;
    byId("setup-location-part").hidden = !location;
    field("setup-password").required = password;
    field("setup-name").required = location;
    field("setup-zone").value = ownZone();
    field("setup-lines").value ||= say("linesExample");
    field(password ? "setup-password" : "setup-name").focus();
  }

  private async save(): Promise<void> {
    try {
      if (this.password) {
        await setPassword(field("setup-password").value);
        field("setup-password").value = "";
        this.begin(false, this.location);
      }
      if (this.location) {
        const lines = field("setup-lines").value.split(",").map((name) => name.trim()).filter((name) => name);
        await createLocation(field("setup-name").value, field("setup-zone").value, lines, Number(field("setup-desks").value));
      }
      setText(byId("setup-note"), "");
      this.done();
    } catch (error) {
      setText(byId("setup-note"), errorWords(error as HubError));
    }
  }
}
