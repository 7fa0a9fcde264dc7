import * as autodiff from "@hessia/autodiff";
import { hvpLaw } from "@hessia/core/testing";
import { overRegistry } from "./registry.js";

overRegistry("hvp is symmetric and equal in three modes", (p) => hvpLaw(p, autodiff), 85);
