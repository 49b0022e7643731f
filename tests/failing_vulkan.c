/* tests/failing_vulkan.c - a Vulkan loader in which one device function fails: that of the file
 * FAILING_LOADER, but that FAILING_FUNCTION does nothing and gives FAILING_RESULT. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan_core.h>

static PFN_vkGetInstanceProcAddr real_instance_functions;
static PFN_vkGetDeviceProcAddr real_device_functions;

static VkResult fail(void)
{
    return (VkResult)atoi(getenv("FAILING_RESULT"));
}

static PFN_vkVoidFunction find_device_function(VkDevice device, const char *name)
{
    if (strcmp(name, getenv("FAILING_FUNCTION")) == 0)
        return (PFN_vkVoidFunction)fail;
    return real_device_functions(device, name);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance,
                                                               const char *name)
{
    if (!real_instance_functions) {
        void *loader = dlopen(getenv("FAILING_LOADER"), RTLD_NOW | RTLD_LOCAL);
        void *found = loader ? dlsym(loader, "vkGetInstanceProcAddr") : NULL;
        if (!found)
            abort();
        memcpy(&real_instance_functions, &found, sizeof found);
    }
    PFN_vkVoidFunction function = real_instance_functions(instance, name);
    if (strcmp(name, "vkGetDeviceProcAddr") == 0 && function) {
        real_device_functions = (PFN_vkGetDeviceProcAddr)function;
        return (PFN_vkVoidFunction)find_device_function;
    }
    return function;
}
