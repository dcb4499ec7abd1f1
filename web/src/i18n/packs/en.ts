import reasons from "../../../../content/en/reasons.json";
import { en } from "../en";

export default { catalogue: en, reasons };
