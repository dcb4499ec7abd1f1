import reasons from "../../../../content/zh/reasons.json";
import { zh } from "../zh";

export default { catalogue: zh, reasons };
