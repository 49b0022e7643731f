/* vulkan/compat.h - what we use that is newer than the oldest headers we build with (1.3.239,
 * Debian 12).
 *
 * Values from the Vulkan registry (vk.xml of Vulkan-Headers 1.3.255). Each piece vanishes when
 * the headers have it. */
#ifndef VKT_VULKAN_COMPAT_H
#define VKT_VULKAN_COMPAT_H

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <volk.h>

/* The first version of the validation layers that knows VK_KHR_cooperative_matrix. */
#define VKT_COOPERATIVE_MATRIX_SINCE VK_MAKE_API_VERSION(0, 1, 3, 255)

#ifndef VK_KHR_cooperative_matrix
#define VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME "VK_KHR_cooperative_matrix"
#define VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR                          \
    ((VkStructureType)1000506000)

typedef struct VkPhysicalDeviceCooperativeMatrixFeaturesKHR {
    VkStructureType sType;
    void *pNext;
    VkBool32 cooperativeMatrix;
    VkBool32 cooperativeMatrixRobustBufferAccess;
} VkPhysicalDeviceCooperativeMatrixFeaturesKHR;
#endif

/* First in headers 1.3.273; its commands and structs are those of the EXT extension. */
#ifndef VK_KHR_calibrated_timestamps
#define VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME "VK_KHR_calibrated_timestamps"
#endif

#endif
