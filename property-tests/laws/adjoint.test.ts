import * as autodiff from "@hessia/autodiff";
import { adjointLaw } from "@hessia/core/testing";
import { overRegistry } from "./registry.js";

overRegistry("vjp is the adjoint of jvp", (p) => adjointLaw(p, autodiff), 85);
