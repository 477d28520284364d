// Says in a line why rclnodejs could not be installed, and ends with a fault: for CMakeLists.txt.
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

const { PATH = '', ROS_DISTRO } = process.env;

function whereIs(program) {
  return PATH.split(delimiter).find((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** @returns {string[]} what its compilation needs and does not find */
function missing() {
  if (!ROS_DISTRO) return ['ROS_DISTRO, which a sourced ROS 2 sets'];
  const ros2 = whereIs('ros2');
  // It takes the folder above that program for ROS 2's.
  if (!ros2) return ['the program ros2 (package ros2cli)'];
  const headers = join(dirname(ros2), 'include/rcl');
  return [
    ...(existsSync(headers) ? [] : [`${headers} (package rcl)`]),
    ...['python3', 'make', 'g++'].filter((program) => !whereIs(program)),
  ];
}

const lacking = missing().join(', ');
console.error(
  `reverie: rclnodejs was not installed: npm says above why${lacking && `; to compile it here there would have to be ${lacking}`}. Without it: colcon build --cmake-args -DREVERIE_RCLNODEJS=OFF, and transport:=cyclone`,
);
process.exitCode = 1;
