export { nativeCumulative } from "./cumulative/index.js";
