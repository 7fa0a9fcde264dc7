import { passesLaw } from "@hessia/core/testing";
import { overRegistry } from "./registry.js";

overRegistry("optimizer passes preserve meaning", (p) => passesLaw(p), 110);
