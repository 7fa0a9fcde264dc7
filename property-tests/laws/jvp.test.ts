import * as autodiff from "@hessia/autodiff";
import { jvpLaw } from "@hessia/core/testing";
import { overRegistry } from "./registry.js";

overRegistry("jvp equals central differences", (p) => jvpLaw(p, autodiff), 85);
