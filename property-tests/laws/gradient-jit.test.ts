import * as autodiff from "@hessia/autodiff";
import { gradientJitLaw } from "@hessia/core/testing";
import { overRegistry } from "./registry.js";

overRegistry("jit and grad commute", (p) => gradientJitLaw(p, autodiff), 85);
