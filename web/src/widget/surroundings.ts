// What every part of the app knows of where it runs.
import { Host, Store, WidgetOptions } from "../launcher/api";

export interface Surroundings extends Host {
  readonly options: WidgetOptions;
  readonly store: Store;
}
