using static TorchSharp.Interop.Operator;

namespace TorchSharp.Interop;

/// <summary>The operators of libtorch that tensors use, each under its own name; a suffix tells overloads apart.</summary>
internal static partial class Aten
{
    // Of each element
    public static readonly Operator
        abs = Named(), acos = Named(), acosh = Named(), angle = Named(), asin = Named(), asinh = Named(), atan = Named(), atanh = Named(),
        bitwise_not = Named(), ceil = Named(), conj = Named(), cos = Named(), cosh = Named(), deg2rad = Named(), digamma = Named(), elu = Named(),
        erf = Named(), erfc = Named(), erfinv = Named(), exp = Named(), exp2 = Named(), expm1 = Named(), floor = Named(), frac = Named(), gelu = Named(),
        glu = Named(), hardsigmoid = Named(), hardswish = Named(), imag = Named(), is_conj = Named(), isfinite = Named(), isinf = Named(), isnan = Named(),
        isneginf = Named(), isposinf = Named(), isreal = Named(), leaky_relu = Named(), lgamma = Named(), log = Named(), log10 = Named(), log1p = Named(),
        log2 = Named(), log_sigmoid = Named(), logical_not = Named(), logit = Named(), nan_to_num = Named(), neg = Named(), positive = Named(),
        rad2deg = Named(), real = Named(), reciprocal = Named(), relu = Named(), relu6 = Named(), resolve_conj = Named(), round = Named("decimals"),
        rsqrt = Named(), selu = Named(), sgn = Named(), sigmoid = Named(), sign = Named(), signbit = Named(), silu = Named(), sin = Named(), sinc = Named(),
        sinh = Named(), softplus = Named(), sqrt = Named(), tan = Named(), tanh = Named(), threshold = Named(), trunc = Named();

    // Of the elements of several tensors
    public static readonly Operator
        add = Named("Tensor"), addScalar = Named("Scalar", "add"), addcdiv = Named(), addcmul = Named(), atan2 = Named(),
        bitwise_and = Named("Tensor"), bitwise_left_shift = Named("Tensor"), bitwise_or = Named("Tensor"), bitwise_right_shift = Named("Tensor"),
        bitwise_xor = Named("Tensor"), bucketize = Named("Tensor"), clamp = Named(), clampTensor = Named("Tensor", "clamp"), clamp_max = Named(),
        clamp_min = Named(), copysign = Named("Tensor"), div = Named("Tensor_mode"), divScalar = Named("Scalar_mode", "div"),
        float_power = Named("Tensor_Tensor"), floor_divide = Named(), floor_divideScalar = Named("Scalar", "floor_divide"), fmax = Named(), fmin = Named(),
        fmod = Named("Tensor"), fmodScalar = Named("Scalar", "fmod"), heaviside = Named(), hypot = Named(), lerp = Named("Tensor"), logaddexp = Named(),
        logaddexp2 = Named(), maximum = Named(), minimum = Named(), mul = Named("Tensor"), mulScalar = Named("Scalar", "mul"),
        pow = Named("Tensor_Tensor"), powScalar = Named("Tensor_Scalar", "pow"), powInPlace = Named("Tensor", "pow"), powScalarInPlace = Named("Scalar", "pow"),
        prelu = Named(), remainder = Named("Tensor"), remainderScalar = Named("Scalar", "remainder"), sub = Named("Tensor"), subScalar = Named("Scalar", "sub"),
        where = Named("self"), xlogy = Named("Tensor"), xlogyScalar = Named("Scalar_Other", "xlogy");

    // Comparison
    public static readonly Operator
        allclose = Named(), eq = Named("Tensor"), eqScalar = Named("Scalar", "eq"), equal = Named(), ge = Named("Tensor"), geScalar = Named("Scalar", "ge"),
        gt = Named("Tensor"), gtScalar = Named("Scalar", "gt"), isclose = Named(), isin = Named("Tensor_Tensor"), le = Named("Tensor"),
        leScalar = Named("Scalar", "le"), logical_and = Named(), logical_or = Named(), logical_xor = Named(), lt = Named("Tensor"),
        ltScalar = Named("Scalar", "lt"), ne = Named("Tensor"), neScalar = Named("Scalar", "ne"), searchsorted = Named("Tensor");

    // Reduction, accumulation, order
    public static readonly Operator
        all = Named(), allDim = Named("dim", "all"), amax = Named(), amaxOut = Named("out", "amax"), amin = Named(), aminOut = Named("out", "amin"),
        aminmax = Named(), any = Named(), anyDim = Named("dim", "any"), argmax = Named(), argmin = Named(), argsort = Named(), bincount = Named(),
        count_nonzero = Named("dim_IntList"), cummax = Named(), cummin = Named(), cumprod = Named(), cumsum = Named(), diff = Named(), dist = Named(),
        histc = Named(), kthvalue = Named(), log_softmax = Named("int"), logcumsumexp = Named(), logsumexp = Named(), max = Named(),
        maxDim = Named("dim", "max"), mean = Named(), meanDim = Named("dim", "mean"), median = Named(), min = Named(), minDim = Named("dim", "min"),
        mode = Named(), msort = Named(), nanmean = Named(), nanmedian = Named(), nansum = Named(), norm = Named("Scalar"),
        normDim = Named("ScalarOpt_dim", "norm"), prod = Named(), prodDim = Named("dim_int", "prod"), quantile = Named(), softmax = Named("int"),
        sort = Named("stable"), std = Named(), stdDim = Named("dim", "std"), std_mean = Named(), std_meanDim = Named("dim", "std_mean"), sum = Named(),
        sumDim = Named("dim_IntList", "sum"), topk = Named(), trace = Named(), unique_consecutive = Named(), unique_dim = Named(), _unique2 = Named(),
        var = Named(), varDim = Named("dim", "var"), var_mean = Named(), var_meanDim = Named("dim", "var_mean");

    // Shape
    public static readonly Operator
        adjoint = Named(), as_strided = Named(), atleast_1d = Named(), atleast_2d = Named(), atleast_3d = Named(), broadcast_to = Named(), chunk = Named(),
        diag = Named(), diag_embed = Named(), diagonal = Named(), expand = Named(), flatten = Named("using_ints"), flip = Named(), fliplr = Named(),
        flipud = Named(), mH = Named(), movedim = Named("intlist"), mT = Named(), narrow = Named(), permute = Named(), ravel = Named(), repeat = Named(),
        repeat_interleave = Named("self_int"), repeat_interleaveTensor = Named("self_Tensor", "repeat_interleave"), reshape = Named(), roll = Named(),
        rot90 = Named(), select = Named("int"), slice = Named("Tensor"), split = Named("Tensor"), split_with_sizes = Named(), squeeze = Named(),
        squeezeDim = Named("dim", "squeeze"), t = Named(), tensor_split = Named("sections"), tensor_splitIndices = Named("indices", "tensor_split"),
        tensor_splitTensor = Named("tensor_indices_or_sections", "tensor_split"),
        tile = Named(), transpose = Named("int"), transposeInPlace = Named("", "transpose"), tril = Named(), triu = Named(), unbind = Named("int"),
        unflatten = Named("int"), unfold = Named(), unsqueeze = Named(), view = Named(), view_as_complex = Named(), view_as_real = Named(),
        cat = Named(), stack = Named(), hstack = Named(), vstack = Named(), dstack = Named(), column_stack = Named(), block_diag = Named(),
        meshgrid = Named("indexing"), broadcast_tensors = Named(), cartesian_prod = Named();

    // Indices and masks
    public static readonly Operator
        argwhere = Named(), fill = Named("Scalar"), gather = Named(), index_add = Named(), index_copy = Named(), index_fill = Named("int_Scalar"),
        index_put = Named(), index_select = Named(), masked_fill = Named("Scalar"), masked_scatter = Named(), masked_select = Named(), nonzero = Named(),
        nonzero_numpy = Named(), one_hot = Named(), scatter = Named("src"), scatter_add = Named(), select_scatter = Named(), slice_scatter = Named(),
        take = Named(), take_along_dim = Named(), tril_indices = Named(), triu_indices = Named();

    // Linear algebra
    public static readonly Operator
        addbmm = Named(), addmm = Named(), addmv = Named(), addr = Named(), baddbmm = Named(), bmm = Named(), cdist = Named(), det = Named(), dot = Named(),
        einsum = Named(), inner = Named(), inverse = Named(), kron = Named(), matmul = Named(), matrix_power = Named(), mm = Named(), mv = Named(),
        outer = Named(), tensordot = Named(), vdot = Named();

    // Type, device, storage, graph
    public static readonly Operator
        can_cast = Named(), clone = Named(), contiguous = Named(), copy = Named(), detach = Named(), is_nonzero = Named(), is_pinned = Named(), item = Named(),
        pin_memory = Named(), promote_types = Named(), result_type = Named("Tensor"), set = Named("source_Tensor"), set_data = Named(), toDevice = Named("device", "to"),
        toDtype = Named("dtype", "to");

    // Random numbers
    public static readonly Operator
        bernoulli = Named(), bernoulliFloat = Named("float", "bernoulli"), bernoulliTensor = Named("Tensor", "bernoulli"), cauchy = Named(),
        exponential = Named(), geometric = Named(), log_normal = Named(), multinomial = Named(), normal = Named(), poisson = Named(),
        random = Named("from"), rand = Named("generator"), randint = Named("low_generator"), randn = Named("generator"), randperm = Named("generator"),
        uniform = Named();

    // New tensors
    public static readonly Operator
        arange = Named("start_step"), complex = Named(), empty = Named("memory_format"), emptyOut = Named("out", "empty"), empty_like = Named(),
        empty_strided = Named(), eye = Named("m"), full = Named(), fullOut = Named("out", "full"), full_like = Named(), linspace = Named(),
        logspace = Named(), ones = Named(), onesOut = Named("out", "ones"), ones_like = Named(), polar = Named(), rand_like = Named(),
        randint_like = Named("low_dtype"), randn_like = Named(), zeros = Named(), zerosOut = Named("out", "zeros"),
        zeros_like = Named();
}
