import { library } from "../.ci/tsup.js";

export default library(["index", "extend", "native", "testing"]);
