import reasons from "../../../../content/km/reasons.json";
import { km } from "../km";

export default { catalogue: km, reasons };
