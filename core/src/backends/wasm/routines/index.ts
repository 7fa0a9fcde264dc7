export { nativeCumulative } from "./cumulative/index.js";
export { nativeScatter } from "./scatter/index.js";
export { nativeSort } from "./sort/index.js";
